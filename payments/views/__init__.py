"""Pages of payments, a module for each thing people come to do."""

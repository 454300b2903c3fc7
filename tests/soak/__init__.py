"""`make soak`: a whole hub under load while its programs are killed, and the proof that no money was lost or doubled."""

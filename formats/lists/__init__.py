"""Sanctions lists as their publishers give them: OFAC's native CSV and the United Nations' XML. Pure functions, streaming."""

from formats.lists.entries import ListedEntry, ListedName, ListRefused, NameKind, SourceFile
from formats.lists.ofac import ofac_files, ofac_read
from formats.lists.un import un_read

__all__ = ["ListRefused", "ListedEntry", "ListedName", "NameKind", "SourceFile", "ofac_files", "ofac_read", "un_read"]

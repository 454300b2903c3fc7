"""
Names against sanctions lists: the scorer, the index of names and what is kept of both.

`index` lives only in the screening process (Celery queue `screening`) and in commands; web processes read stored verdicts.
"""

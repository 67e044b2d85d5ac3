"""The conformance suite: the jobs protocol and DRMAA2 as executable statements, run on every backend.

``sites.py`` lists the backends. Statements are ordinary tests that take ``site``; marks say which clause each checks
(``clause``) and which attribute or operation it speaks of (``subject``, ``attribute``). ``outcome_table.py`` prints
what came out.
"""

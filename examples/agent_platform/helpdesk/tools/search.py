"""Moved to `helpdesk.tools.glossary`. This module was to re-export it, until somebody mended a copy here."""

from helpdesk.tools.glossary import _terms


# canonical: from helpdesk.tools.glossary import define
def define(term):  # fault: SSG104 search, known
    return f"{term} means {_terms().get(term, 'nothing to me')}"  # here, case matters

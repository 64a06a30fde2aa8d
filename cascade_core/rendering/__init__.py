"""Results as figures, tables, markup, the live panel and the report; it computes nothing."""

"""How good generated motion is: measures per record, comparisons, floors and baselines, the report."""

"""The language of claims: formulas and boxes, parsed and never evaluated."""

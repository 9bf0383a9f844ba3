"""How hard the house tries: points a check, never seconds."""

EFFORTS = {"quick": 10**5, "normal": 10**6, "thorough": 10**7}
"""Points, by the word that asks for them."""

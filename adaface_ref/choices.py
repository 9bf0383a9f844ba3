"""Words that the whole house takes: efforts and dtypes. Standard library only."""

EFFORTS = {"quick": 10**5, "normal": 10**6, "thorough": 10**7}
"""Points a check, by the word that asks for them: never seconds."""

DTYPES = ("float64", "float32", "float16", "bfloat16")
"""The dtypes in which a value may be computed and judged, the widest first."""

REPORT_FORMATS = ("full", "concise", "github", "gitlab", "json", "junit", "sarif")
"""How reports can be printed: for people, then for machines."""

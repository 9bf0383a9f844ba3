"""One head under judgement: built, given points, shown in snippets."""

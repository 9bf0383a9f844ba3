"""What is true: the losses, their profiles and their gradients as SymPy expressions.

Imports nothing but SymPy and the standard library, so that reading the specification
never loads a framework. Start at `losses.LOSSES`.
"""

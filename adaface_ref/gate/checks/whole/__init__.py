"""Checks of a whole head: embeddings and class weights in, gradients back."""

"""The whole head against its twin: embeddings and class weights in, gradients back."""

"""Pictures drawn by Matplotlib from what the room above has computed."""

"""What is done in the slack of frames: saves, validation, garbage, packing."""

"""Edits at the frame's boundary: swapped in or refused, told by receipts, undone with the frames before them."""

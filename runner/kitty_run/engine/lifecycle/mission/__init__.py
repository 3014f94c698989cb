"""The end of a mission: accept, merge, the proof of the merge, push."""

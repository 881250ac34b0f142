"""How well a detector finds what people marked, and what masks leave to be seen."""

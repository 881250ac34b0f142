"""How well a detector finds what people annotated, and what masks leave uncovered."""

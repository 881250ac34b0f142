"""Who does the work: this process, or worker processes that may die without taking anything else with them."""

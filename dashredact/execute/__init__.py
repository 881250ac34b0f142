"""Who does the stages: this process, or worker processes that may die without taking anything else with them."""

"""Which work package next: the scheduler, the dependency graph, the critical path, and concurrency."""

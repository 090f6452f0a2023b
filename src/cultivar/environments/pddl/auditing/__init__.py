"""What must hold of domains, tasks and runs; what makes two the same; how hard a task is."""

"""Whether something is right: tests that run, answers that agree, judges that are asked both ways round."""

"""Lines of builds and rollouts on disk: one writer, any number of readers that follow without polling."""

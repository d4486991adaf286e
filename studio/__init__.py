"""The application: window, command line, jobs."""

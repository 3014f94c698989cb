"""Running one attempt: argv, environment, prompt, process group, log, outcome, verdict, workspace."""

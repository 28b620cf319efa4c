"""What countries ask of a service and read from it: questions with an answer at once, and their mailbox."""

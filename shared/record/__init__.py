"""What a recorded report sets off: judgements, and the engine that works through a batch of them.

A judgement reads all reports about one thing and says what should have been told; the engine tells the difference.
"""

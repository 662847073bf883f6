"""What is known about short patterns in sequences.

pwm  from aligned sites to a position weight matrix, and its score along a sequence
"""

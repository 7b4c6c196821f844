"""What is true whatever stores or shows it: pure, without Flask, SQL, clock or randomness."""

"""How a centre is served: who is let in, who waits where, in one process or in several."""

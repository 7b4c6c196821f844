"""Flask: parse, one service or query call, render."""

"""The parts of the fuzzer: values, requests made of them, and a short way into the application."""

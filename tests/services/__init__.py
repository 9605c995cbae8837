"""The real things that tests run against: databases, brokers, servers and a browser.

Each is found on the machine or its test fails: nothing is replaced and nothing is left out.
"""

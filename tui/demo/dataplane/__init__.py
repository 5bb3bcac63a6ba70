"""The data plane: real HTTP on 127.0.0.1, answered by simulated pods.

A connection to a node port is a real one; behind it everything happens in this process. Pods
queue for CPU as under a kernel's scheduler, proxies do what their configuration says, and the
time an answer takes is the time its work would have taken. What is waited for is counted in real
milliseconds at any speed of the cluster's clock, since those who send requests live in real time.
"""

"""Takes a job from redis every 50 ms. Ends if redis is not there, and leaves the waiting to its supervisor."""
import socket
import sys
import time

with socket.socket(socket.AF_UNIX) as redis:
    redis.connect(sys.argv[1])
    while True:
        redis.sendall(b"INCR jobs\r\n")
        answer = redis.recv(64).decode().strip()
        if not answer:
            sys.exit("redis has closed the connection")
        print("job", answer.lstrip(":"))
        time.sleep(0.05)

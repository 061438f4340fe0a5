"""As much of redis' protocol as the shop needs (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
import socket
import sys


class Store:
    def __init__(self, port):
        self.answers = socket.create_connection(("127.0.0.1", port)).makefile("rw", newline="")

    def ask(self, *words):
        self.answers.write(f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words))
        self.answers.flush()
        answer = self.answers.readline().strip()
        if not answer:
            sys.exit("the store has closed the connection")
        if answer.startswith("-"):
            sys.exit(f"the store says {answer[1:]}")
        return answer[1:]

"""RSAES-OAEP of RFC 8017 §7.1.1 with nothing but Python's own library, for key material on its way to the service."""

import hashlib
import os


def encrypt(spki, plaintext, name="sha256"):
    modulus, exponent = rsa_public_key(spki)
    size = (modulus.bit_length() + 7) // 8
    empty = hashlib.new(name).digest()
    seed = os.urandom(len(empty))
    block = empty + bytes(size - len(plaintext) - 2 * len(empty) - 2) + b"\x01" + plaintext
    masked = xor(block, mgf1(seed, len(block), name))
    encoded = b"\x00" + xor(seed, mgf1(masked, len(seed), name)) + masked
    return pow(int.from_bytes(encoded, "big"), exponent, modulus).to_bytes(size, "big")


def mgf1(seed, length, name):
    digests = (hashlib.new(name, seed + n.to_bytes(4, "big")).digest() for n in range(length // 20 + 1))
    return b"".join(digests)[:length]


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def rsa_public_key(spki):
    """Modulus and exponent of a SubjectPublicKeyInfo in DER."""
    outer, _ = value(spki)
    _, after_algorithm = value(outer)
    bits, _ = value(after_algorithm)
    # The first byte of a BIT STRING says how many bits of its last byte are unused: none.
    key, _ = value(bits[1:])
    modulus, rest = value(key)
    exponent, _ = value(rest)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def value(der):
    """The contents of the first element, and what follows it."""
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    return der[start : start + length], der[start + length :]

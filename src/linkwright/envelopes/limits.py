"""How large an Envelope may be: the two configured limits, and the fixed bounds that keep a look at it cheap.

Numbers only; the files that read apply them. Source: SPEC section 2 ('configured size or compression ratio') and
section 7 (`Envelope.MaxSizeMiB`, `Envelope.MaxCompressionRatio`).
"""

from dataclasses import dataclass

MIB = 1024 * 1024

# Content up to here is harmless whatever its ratio; a small list of like lines compresses a hundredfold.
RATIO_FREE_BYTES = MIB
# An Envelope of more files than this is a mistake or an attack; each costs time and memory before a byte is read.
MAX_FILES_COUNT = 2_000
# Enough for MAX_FILES_COUNT names of the greatest length, and small enough to hold in memory.
MAX_DIRECTORY_BYTES = 4 * MIB
MAX_MANIFEST_BYTES = 4 * MIB
# What is read, unpacked and written at a time: the memory that a data file of any size costs.
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class PackageLimits:
    """What an Envelope may cost.

    Args:
        max_size_bytes: bounds the zip itself, and the sum of its files once unpacked (gzip included).
        max_compression_ratio: unpacked bytes per byte in the zip, for each file (gzip included). Deflate cannot
            exceed 1,032; the tables of linkage units reach 3 to 50. The first MiB of a file is free.
    """

    max_size_bytes: int
    max_compression_ratio: float

    def unpacked_bytes_allowed(self, packed_bytes: int) -> int:
        """Return how many bytes a file that takes `packed_bytes` in the zip may unpack to, by the ratio alone."""
        return max(RATIO_FREE_BYTES, int(self.max_compression_ratio * packed_bytes))

import Crypto
import FoundationEssentials

/// SHA-256 in hexadecimal.
func sha256Hex(_ bytes: UnsafeRawBufferPointer) -> String {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    return hash.finalize().map { byte in
        let text = String(byte, radix: 16)
        return text.utf8.count == 1 ? "0" + text : text
    }.joined()
}

/// Short pieces on their way to a file or a digest, passed on together: each call of the system is worth many rows.
struct CollectedPieces {
    typealias Pass = (UnsafeRawBufferPointer) throws(RowDeltaError) -> Void

    private var piece: [UInt8] = []

    private static let size = 256 << 10

    init() { piece.reserveCapacity(Self.size) }

    mutating func take(_ bytes: UnsafeRawBufferPointer, passing pass: Pass) throws(RowDeltaError) {
        if piece.count + bytes.count > Self.size { try flush(passing: pass) }
        guard bytes.count < Self.size else { return try pass(bytes) }
        piece.append(contentsOf: bytes)
    }

    /// To be called as the last thing, too.
    mutating func flush(passing pass: Pass) throws(RowDeltaError) {
        guard !piece.isEmpty else { return }
        let outcome = piece.withUnsafeBytes { piece in Result { () throws(RowDeltaError) in try pass(piece) } }
        try outcome.get()
        piece.removeAll(keepingCapacity: true)
    }
}

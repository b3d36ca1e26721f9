import DumpCore
import Linux
import SystemPackage

/// Makes one change of the last ones of a chain. What went and came again is left out, and the numbers of earlier lines stay what they are.
struct RowFolding {
    let chain: RowChain
    /// How many changes.
    let count: Int
    let stop: StopSign

    private var folded: ArraySlice<String> { chain.names.suffix(count) }

    /// Writes the files of the change, which has the name of none of the chain.
    func write(as name: String) throws(RowDeltaError) {
        let kept = try lines(of: chain.names.dropLast(count).map { chain.rows(of: $0) })
        let gone = folded.map { chain.gone(of: $0) }
        try writeRemoved(gone, upTo: kept, to: chain.gone(of: name))
        try writeRows(gone, after: kept, to: chain.rows(of: name))
    }

    private func lines(of files: [FilePath]) throws(RowDeltaError) -> Int64 {
        var lines: Int64 = 0
        for file in files { lines += try RowLines.count(in: file, until: stop) }
        return lines
    }

    /// Writes the removed lines before those of the folded changes.
    private func writeRemoved(_ gone: [FilePath], upTo last: Int64, to path: FilePath) throws(RowDeltaError) {
        var removed = try RemovedLines.open(gone)
        let file = try BufferedFile(path)
        var ranges = RemovedRanges()
        while removed.first <= last {
            let range = RemovedRange(first: removed.first, last: min(removed.last, last))
            if let range = ranges.add(range) { try file.write(range) }
            guard removed.last <= last else { break }
            try removed.advance()
        }
        if let range = ranges.finish() { try file.write(range) }
        try file.finish()
    }

    /// The lines of the folded changes that are still there, the end included.
    private func writeRows(_ gone: [FilePath], after kept: Int64, to path: FilePath) throws(RowDeltaError) {
        var removed = try RemovedLines.open(gone)
        let output = try BufferedFile(path)
        var number = kept
        for name in folded {
            try RowLines.forEach(in: chain.rows(of: name), until: stop) { line throws(RowDeltaError) in
                number += 1
                while number > removed.last { try removed.advance() }
                if number < removed.first { try output.write(line) }
            }
        }
        try output.finish()
    }
}

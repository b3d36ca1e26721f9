import DumpCore
import SystemPackage

/// Writes what became of lines, in the order of the lines. `LineList` reads it.
final class LinesFile {
    private let file: BufferedFile
    /// The line that was written about last, and lines that are gone and not written yet.
    private var former: Int64 = 0
    private var gone: (first: Int64, last: Int64)?

    init(_ path: FilePath) throws(RowDeltaError) { file = try BufferedFile(path) }

    func remove(_ line: Int64) throws(RowDeltaError) {
        if let gone, gone.last + 1 == line {
            self.gone = (gone.first, line)
        } else {
            try writeGone()
            gone = (line, line)
        }
    }

    /// - Parameter edits: at least one.
    func change(_ line: Int64, by edits: RowEdits) throws(RowDeltaError) {
        try writeGone()
        for edit in edits.lines {
            var text: [UInt8] = []
            text.append(number: UInt64(line - former))
            text.append(UInt8(ascii: " "))
            try file.write(text)
            try file.write(edit)
            former = line
        }
    }

    private func writeGone() throws(RowDeltaError) {
        guard let range = gone else { return }
        var line: [UInt8] = []
        line.append(number: UInt64(range.first - former))
        line.append(UInt8(ascii: " "))
        line.append(number: UInt64(range.last - range.first + 1))
        line.append(UInt8(ascii: "\n"))
        try file.write(line)
        (former, gone) = (range.first, nil)
    }

    /// To be called once, as the last thing.
    func finish() throws(RowDeltaError) {
        try writeGone()
        try file.finish()
    }
}

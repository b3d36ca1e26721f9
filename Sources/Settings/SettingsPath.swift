/// Where a node stands in its tree, such as `dumps.app.databases.include[0]`.
public struct SettingsPath: Sendable, Hashable, CustomStringConvertible {
    enum Step: Hashable {
        case key(String)
        case index(Int)
    }

    private(set) var steps: [Step] = []

    /// The path of the whole tree.
    public static let root = SettingsPath()

    public func appending(key: String) -> SettingsPath { appending(.key(key)) }

    /// - Parameter index: counts from 0.
    public func appending(index: Int) -> SettingsPath { appending(.index(index)) }

    /// Keys are joined by dots; one that could be misread is in quotes. Empty for the whole tree.
    public var description: String {
        steps.reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + (isPlain(key) ? key : quoted(key))
            case .index(let index): text += "[\(index)]"
            }
        }
    }

    /// To begin a message with: `dumps.app`, or `the file`.
    var subject: String { steps.isEmpty ? "the file" : description }

    /// To end a message with: `in dumps.app`, or `at the top level`.
    var place: String { steps.isEmpty ? "at the top level" : "in \(description)" }

    private func appending(_ step: Step) -> SettingsPath {
        var longer = self
        longer.steps.append(step)
        return longer
    }

    private func isPlain(_ key: String) -> Bool {
        !key.isEmpty && key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }
}

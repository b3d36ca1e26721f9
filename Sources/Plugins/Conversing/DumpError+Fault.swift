import DumpCore

extension DumpError {
    /// What an operator can do about a plugin that does not do what it must.
    static let faultOfPlugin = "This is a fault of the plugin: report it to its authors."
}

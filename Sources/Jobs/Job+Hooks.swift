extension Job {
    /// What stands under `hooks:`: programs of the operator's, with their arguments.
    public struct Hooks: Sendable, Equatable {
        /// When such a program runs.
        public enum Place: String, Sendable, CaseIterable {
            case before, after
            case onFailure = "on_failure"
            case onSuccess = "on_success"
        }

        /// Before the first dump is prepared. One that fails stops the run.
        public var before: [[String]] = []
        /// Once the work is done or has failed, whatever came of it.
        public var after: [[String]] = []
        /// Programs for a run that failed, and for a unit that could not begin.
        public var onFailure: [[String]] = []
        /// Programs for a run that went well.
        public var onSuccess: [[String]] = []
        /// How long each program may take.
        public var deadline = Duration.seconds(60)

        public init() {}

        public func programs(_ place: Place) -> [[String]] {
            switch place {
            case .before: before
            case .after: after
            case .onFailure: onFailure
            case .onSuccess: onSuccess
            }
        }
    }
}

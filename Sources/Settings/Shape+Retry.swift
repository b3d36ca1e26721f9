import DumpCore

extension Shape<Retry> {
    /// `{times: 2, wait: 10s}`; what is left out is as in `default`.
    public static func retry(default retry: Retry) -> Shape {
        ObjectShape(default: retry)
            .key("times", \.times, .integer(0...100), "How many times; 0 for never.")
            .key(
                "wait", \.wait, .duration(atMost: .seconds(86400)),
                "How long to wait before the first retry; doubled before each further one."
            ).example("{times: 2, wait: 10s}").shape
    }
}

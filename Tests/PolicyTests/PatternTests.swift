@testable import Policy
import Testing

@Suite struct PatternTests {
    private func matches(_ pattern: String, _ text: String, ignoreCase: Bool = false) throws -> Bool {
        try RegexParser.program(pattern, ignoreCase: ignoreCase).matches(text)
    }

    @Test(arguments: [
        ("abc", "xxabcxx", true), ("^abc$", "abc", true), ("^abc$", "abcd", false), ("a.c", "a-c", true), ("a\\.c", "a-c", false),
        ("colou?r", "color", true), ("ab*c", "ac", true), ("ab+c", "ac", false), ("ab{2,3}c", "abbbc", true), ("ab{2,3}c", "abbbbc", false),
        ("ab{2}c", "abbc", true), ("ab{2}c", "abbbc", false), ("ab{2,}c", "abbbbbbc", true), ("ab{2,}c", "abc", false),
        ("(cat|dog)s", "dogs", true), ("(cat|dog|)s$", "s", true), ("(?:a|b)+$", "xabab", true), ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false),
        ("[]x]", "]", true), ("[a\\]]", "]", true), ("[\\d-]+$", "1-2", true), ("\\d{4}-\\d{2}", "on 2024-05-06", true), ("\\bcat\\b", "a cat!", true),
        ("\\bcat\\b", "concat", false), ("\\w+@\\w+", "a@b", true), ("[^\\s]", " \t", false), ("[\\D]", "12", false), ("a|b|c", "c", true),
        ("", "anything", true), ("^$", "", true), ("^$", "x", false), ("(a*)*b", "aaab", true), ("ü", "über", true), ("x*?y", "xxy", true),
    ])
    func regularExpressions(pattern: String, text: String, expected: Bool) throws {
        #expect(try matches(pattern, text) == expected)
    }

    @Test func ignoringCase() throws {
        #expect(try matches("VIAGRA [a-z]+", "Cheap Viagra NOW", ignoreCase: true))
        #expect(try matches("[A-F]9", "f9", ignoreCase: true))
        #expect(try matches("ÜBER", "über", ignoreCase: true))
        #expect(try !matches("viagra", "VIAGRA"))
    }

    @Test(arguments: ["(", ")", "[a", "*a", "a**", "a{", "a{3,2}", "a{2000}", "\\1", "(?=a)", "(?<n>a)", "\\q", "a\\", "[b-a]", "((((a{999}){999}){999}){999})", "((((){999}){999}){999}){999}"])
    func refused(pattern: String) {
        #expect(throws: PatternMistake.self) { try RegexParser.program(pattern, ignoreCase: false) }
    }

    @Test func deepGroupsAreRefusedNotRecursedInto() {
        let pattern = String(repeating: "(", count: 10_000)
        #expect(throws: PatternMistake.self) { try RegexParser.program(pattern, ignoreCase: false) }
    }

    /// A backtracking matcher needs 2^40 steps for these; this test would not end.
    @Test func catastrophicPatternsAreHarmless() throws {
        let text = String(repeating: "a", count: 40) + "!"
        #expect(try !matches("^(a+)+$", text))
        #expect(try !matches("^(a|aa)+$", text))
        #expect(try !matches("(.*)*(.*)*(.*)*x", text))
        #expect(try !Glob.program("*a*a*a*a*a*a*a*a*a*b").matches(text))
    }

    @Test(arguments: [("*", "", true), ("a*c", "abbc", true), ("a*c", "abbcd", false), ("?", "ü", true), ("*.EXE", "run.exe", true), ("a\\*", "a*", true), ("a\\*", "ab", false), ("a.c", "abc", false)])
    func globs(glob: String, text: String, expected: Bool) throws {
        #expect(try Glob.program(glob).matches(text) == expected)
    }
}

//! The kinds of tokens, and how each is written.

use crate::span::Span;
use logos::Logos;

/// One token of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    /// Whether a newline that counts stands before it: one that is not inside `(…)` or `[…]`.
    pub starts_line: bool,
    /// Put in by the lexer to close what the author left open; a diagnostic says so already.
    pub is_inserted: bool,
    /// The place in [`Lexed::values`](super::Lexed) of a literal's value.
    pub value: u32,
    pub span: Span,
}

/// Declares the kinds that are always written the same, with their spelling.
macro_rules! kinds {
    (
        punctuation { $($punctuation:ident = $sign:literal,)* }
        keywords { $($keyword:ident = $reserved:literal,)* }
        words { $($contextual:ident = $word:literal,)* }
    ) => {
        /// What a token is.
        #[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[logos(skip r"[ \t\r\f\u{feff}]+")]
        pub enum Kind {
            $(#[token($sign)] $punctuation,)*
            $(#[token($reserved)] $keyword,)*
            $(#[token($word)] $contextual,)*

            /// `train`, `Ride`
            #[regex("[A-Za-z_][A-Za-z0-9_]*")]
            Name,
            /// `` `fixed acidity` ``
            #[regex("`[^`\n]*`")]
            QuotedName,

            /// `42`, `0.5`, `80%`, `512MiB`, `30min`; the scanner finds its end.
            #[regex("[0-9]")]
            Number,
            /// `date"2026-11-20"`
            #[regex("date\"[^\"\n]*\"")]
            Date,
            /// `time"2026-11-20T09:30:00Z"`
            #[regex("time\"[^\"\n]*\"")]
            Time,
            /// `r"raw"`
            #[regex("r\"[^\"\n]*\"")]
            RawText,
            /// `"text"`; the scanner finds its end.
            #[token("\"")]
            Text,
            /// `"text {`, up to the first interpolated expression
            TextStart,
            /// `} text {`, between two of them
            TextMiddle,
            /// `} text"`, behind the last
            TextEnd,
            /// A literal that is wrong in itself; a diagnostic says how.
            Malformed,

            /// `/// documentation`
            #[regex("///[^\n]*", allow_greedy = true)]
            Doc,
            /// `//! documentation of the module`
            #[regex("//![^\n]*", allow_greedy = true)]
            ModuleDoc,
            /// `// comment`; never among the tokens of [`Lexed`](super::Lexed).
            #[regex("//([^/!\n][^\n]*)?", allow_greedy = true)]
            #[regex("////[^\n]*", allow_greedy = true, priority = 100)]
            Comment,
            /// The end of a line; never among the tokens of [`Lexed`](super::Lexed).
            #[token("\n")]
            Newline,

            /// Characters that begin nothing; a diagnostic says so.
            Unknown,
            /// The end of the item.
            End,
        }

        impl Kind {
            /// Signs and brackets.
            pub const PUNCTUATION: &[Kind] = &[$(Kind::$punctuation,)*];
            /// Words that are never names, but behind a dot and as fields.
            pub const KEYWORDS: &[Kind] = &[$(Kind::$keyword,)*];
            /// Words that count in their place alone and are names elsewhere.
            pub const WORDS: &[Kind] = &[$(Kind::$contextual,)*];

            /// Every kind there is.
            pub const ALL: &[Kind] = &[
                $(Kind::$punctuation,)* $(Kind::$keyword,)* $(Kind::$contextual,)*
                Kind::Name, Kind::QuotedName, Kind::Number, Kind::Date, Kind::Time, Kind::RawText,
                Kind::Text, Kind::TextStart, Kind::TextMiddle, Kind::TextEnd, Kind::Malformed,
                Kind::Doc, Kind::ModuleDoc, Kind::Comment, Kind::Newline, Kind::Unknown, Kind::End,
            ];

            /// How it is always written, where it is.
            pub fn spelling(self) -> Option<&'static str> {
                match self {
                    $(Self::$punctuation => Some($sign),)*
                    $(Self::$keyword => Some($reserved),)*
                    $(Self::$contextual => Some($word),)*
                    _ => None,
                }
            }

            pub fn is_keyword(self) -> bool {
                matches!(self, $(Self::$keyword)|*)
            }

            /// A name, or a word that is one wherever it has no other part.
            pub fn is_name(self) -> bool {
                matches!(self, Self::Name | Self::QuotedName $(| Self::$contextual)*)
            }
        }
    };
}

kinds! {
    punctuation {
        OpenParen = "(",
        CloseParen = ")",
        OpenBracket = "[",
        CloseBracket = "]",
        OpenBrace = "{",
        CloseBrace = "}",
        Comma = ",",
        Colon = ":",
        Dot = ".",
        DotDot = "..",
        DotDotEqual = "..=",
        Question = "?",
        QuestionQuestion = "??",
        Arrow = "->",
        FatArrow = "=>",
        Equal = "=",
        EqualEqual = "==",
        NotEqual = "!=",
        Less = "<",
        LessEqual = "<=",
        Greater = ">",
        GreaterEqual = ">=",
        Plus = "+",
        Minus = "-",
        Star = "*",
        StarStar = "**",
        Slash = "/",
        Percent = "%",
    }
    keywords {
        Let = "let",
        If = "if",
        Else = "else",
        Match = "match",
        For = "for",
        In = "in",
        And = "and",
        Or = "or",
        Not = "not",
        True = "true",
        False = "false",
        None = "none",
    }
    words {
        Use = "use",
        Const = "const",
        Type = "type",
        Enum = "enum",
        Schema = "schema",
        Fn = "fn",
        Operator = "operator",
        Workflow = "workflow",
        Test = "test",
        Model = "model",
        Kernel = "kernel",
        Feature = "feature",
        Schedule = "schedule",
        On = "on",
        Assert = "assert",
        Run = "run",
        While = "while",
        With = "with",
        Native = "native",
        Verb = "verb",
        Python = "python",
        Command = "command",
        Sources = "sources",
        Deterministic = "deterministic",
        Effect = "effect",
        Rows = "rows",
        Of = "of",
        Part = "part",
        Fitted = "fitted",
        Chosen = "chosen",
        Unseen = "unseen",
        By = "by",
        From = "from",
        Max = "max",
        Matching = "matching",
        Positive = "positive",
        Without = "without",
        Present = "present",
    }
}

impl Kind {
    /// Words that open an item.
    pub fn opens_item(self) -> bool {
        matches!(
            self,
            Self::Use
                | Self::Const
                | Self::Type
                | Self::Enum
                | Self::Schema
                | Self::Fn
                | Self::Operator
                | Self::Workflow
                | Self::Test
        ) || self.opens_later_item()
    }

    /// Words that will open an item in a later version of the language.
    pub fn opens_later_item(self) -> bool {
        matches!(self, Self::Model | Self::Kernel | Self::Feature | Self::Schedule | Self::On)
    }

    /// The bracket that closes this one.
    pub fn closer(self) -> Option<Kind> {
        match self {
            Self::OpenParen => Some(Self::CloseParen),
            Self::OpenBracket => Some(Self::CloseBracket),
            Self::OpenBrace => Some(Self::CloseBrace),
            Self::TextStart => Some(Self::TextEnd),
            _ => None,
        }
    }

    pub fn is_closer(self) -> bool {
        matches!(self, Self::CloseParen | Self::CloseBracket | Self::CloseBrace | Self::TextEnd)
    }

    /// Signs and words between two operands: behind one nothing ends, before one nothing has ended.
    pub fn is_binary_operator(self) -> bool {
        matches!(
            self,
            Self::StarStar
                | Self::Star
                | Self::Slash
                | Self::Percent
                | Self::Plus
                | Self::Minus
                | Self::QuestionQuestion
                | Self::DotDot
                | Self::DotDotEqual
                | Self::EqualEqual
                | Self::NotEqual
                | Self::Less
                | Self::LessEqual
                | Self::Greater
                | Self::GreaterEqual
                | Self::In
                | Self::And
                | Self::Or
                | Self::FatArrow
        )
    }

    /// Whether it may be the last token of an operand.
    pub fn ends_operand(self) -> bool {
        self.is_name() || self.is_closer() || self.starts_literal()
    }

    /// Whether it is a literal, or the start of one.
    pub fn starts_literal(self) -> bool {
        matches!(
            self,
            Self::Number
                | Self::Date
                | Self::Time
                | Self::RawText
                | Self::Text
                | Self::Malformed
                | Self::True
                | Self::False
                | Self::None
        )
    }

    /// Whether an expression may begin with it.
    pub fn starts_expression(self) -> bool {
        self.is_name()
            || self.starts_literal()
            || matches!(
                self,
                Self::TextStart
                    | Self::If
                    | Self::Match
                    | Self::For
                    | Self::Not
                    | Self::Minus
                    | Self::Dot
                    | Self::OpenParen
                    | Self::OpenBracket
                    | Self::OpenBrace
            )
    }
}

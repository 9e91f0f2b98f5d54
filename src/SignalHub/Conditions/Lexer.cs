using System.Globalization;
using System.Text;

namespace SignalHub.Conditions;

/// <summary>
/// Cuts the text into tokens, one at a time, so that the first error reported is the first in the text. After an error
/// token <see cref="Error"/> is set and no further token is asked for.
/// </summary>
internal sealed class Lexer(Source source)
{
    private readonly string _text = source.Text;
    private int _at;

    public ConditionError? Error { get; private set; }

    public Token Next()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\r' or '\n')
        {
            _at++;
        }
        if (_at == _text.Length)
        {
            return new Token(TokenKind.End, _at, _at);
        }
        var c = _text[_at];
        if (char.IsAsciiLetter(c) || c == '_')
        {
            return Word();
        }
        if (char.IsAsciiDigit(c) || (c == '-' && char.IsAsciiDigit(Peek(1))))
        {
            return Number();
        }
        return c is '\'' or '"' ? String(c) : Sign(c);
    }

    private char Peek(int offset) => _at + offset < _text.Length ? _text[_at + offset] : '\0';

    private Token Word()
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Peek(0)) || Peek(0) == '_')
        {
            _at++;
        }
        var word = _text[start.._at];
        var kind = word switch
        {
            "true" => TokenKind.True,
            "false" => TokenKind.False,
            "null" => TokenKind.Null,
            "and" => TokenKind.And,
            "or" => TokenKind.Or,
            "not" => TokenKind.Not,
            "in" => TokenKind.In,
            _ => TokenKind.Name,
        };
        return new Token(kind, start, _at, word);
    }

    private Token Sign(char c)
    {
        var (kind, length) = (c, Peek(1)) switch
        {
            ('=', '=') => (TokenKind.Equal, 2),
            ('!', '=') => (TokenKind.NotEqual, 2),
            ('<', '=') => (TokenKind.LessOrEqual, 2),
            ('>', '=') => (TokenKind.GreaterOrEqual, 2),
            ('&', '&') => (TokenKind.And, 2),
            ('|', '|') => (TokenKind.Or, 2),
            ('=', _) => (TokenKind.SingleEquals, 1),
            ('!', _) => (TokenKind.Not, 1),
            ('<', _) => (TokenKind.Less, 1),
            ('>', _) => (TokenKind.Greater, 1),
            ('.', _) => (TokenKind.Dot, 1),
            (',', _) => (TokenKind.Comma, 1),
            ('(', _) => (TokenKind.LeftParen, 1),
            (')', _) => (TokenKind.RightParen, 1),
            ('[', _) => (TokenKind.LeftBracket, 1),
            (']', _) => (TokenKind.RightBracket, 1),
            _ => (TokenKind.Error, 0),
        };
        if (kind == TokenKind.Error)
        {
            return BadCharacter(_at, null);
        }
        _at += length;
        return new Token(kind, _at - length, _at);
    }

    // The whole run of letters, digits and dots is one number, right or wrong: "1x" and "1.5.2" are one mistake, not two tokens.
    private Token Number()
    {
        var start = _at++;
        while (char.IsAsciiLetterOrDigit(Peek(0)) || Peek(0) is '.' or '_'
            || (Peek(0) is '+' or '-' && _text[_at - 1] is 'e' or 'E' && char.IsAsciiDigit(Peek(1)) && char.IsAsciiDigit(_text[_at - 2])))
        {
            _at++;
        }
        var run = _text[start.._at];
        if (NumericText.IsNumber(run))
        {
            return double.IsFinite(double.Parse(run, NumberStyles.Float, CultureInfo.InvariantCulture))
                ? new Token(TokenKind.Number, start, _at, run)
                : Fail(ConditionErrorCodes.BadNumber, "The number is too large; numbers go up to about 1.8e308.", start, _at, null);
        }
        return Duration(run, start);
    }

    private Token Duration(string run, int start)
    {
        var ticksPerUnit = run[^1] switch
        {
            'm' => TimeSpan.TicksPerMinute,
            'h' => TimeSpan.TicksPerHour,
            'd' => TimeSpan.TicksPerDay,
            'w' => 7 * TimeSpan.TicksPerDay,
            _ => 0,
        };
        var digits = run.AsSpan(0, run.Length - 1);
        if (ticksPerUnit == 0 || digits.ContainsAnyExceptInRange('0', '9'))
        {
            var hint = run.Contains('_') ? run.Replace("_", "", StringComparison.Ordinal) : null;
            return Fail(ConditionErrorCodes.BadNumber, $"`{Shorten(run)}` is not a number. Numbers are written like 12, -3 or 0.5, "
                + "and text needs quotes.", start, _at, hint is not null && NumericText.IsNumber(hint) ? $"write {hint}" : null);
        }
        var longest = ConditionLimits.DurationDays * TimeSpan.TicksPerDay / ticksPerUnit;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) && amount <= longest
            ? new Token(TokenKind.Duration, start, _at, run, amount * ticksPerUnit)
            : Fail(ConditionErrorCodes.BadNumber, $"The duration is too long; at most {longest}{run[^1]} (100 years).", start, _at, null);
    }

    private Token String(char quote)
    {
        var start = _at++;
        StringBuilder? decoded = null;
        var from = _at;
        while (_at < _text.Length && _text[_at] is not ('\r' or '\n'))
        {
            var c = _text[_at];
            if (c == quote)
            {
                var last = _text.AsSpan(from, _at - from);
                var value = decoded is null ? last.ToString() : decoded.Append(last).ToString();
                _at++;
                return new Token(TokenKind.String, start, _at, value);
            }
            if (c == '\\')
            {
                (decoded ??= new StringBuilder()).Append(_text, from, _at - from);
                if (Escape(decoded) is { } error)
                {
                    return error;
                }
                from = _at;
                continue;
            }
            var length = char.IsHighSurrogate(c) && char.IsLowSurrogate(Peek(1)) ? 2 : 1;
            if (c == '\0' || (length == 1 && char.IsSurrogate(c)))
            {
                return BadCharacter(_at, "PostgreSQL cannot store this character, so no value can contain it");
            }
            _at += length;
        }
        return Fail(ConditionErrorCodes.UnterminatedString, $"The text that begins here has no closing {quote}.", start, _at,
            $"add {quote} at the end of the text", quote.ToString());
    }

    private Token? Escape(StringBuilder decoded)
    {
        var c = Peek(1) switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\b',
            'f' => '\f',
            '\\' or '\'' or '"' or '/' => Peek(1),
            _ => '\0',
        };
        if (c != '\0')
        {
            decoded.Append(c);
            _at += 2;
            return null;
        }
        if (Unit(_at) is { } unit && unit != '\0')
        {
            if (!char.IsSurrogate(unit))
            {
                decoded.Append(unit);
                _at += 6;
                return null;
            }
            if (Unit(_at + 6) is { } low && char.IsSurrogatePair(unit, low))
            {
                decoded.Append(unit).Append(low);
                _at += 12;
                return null;
            }
        }
        var end = Math.Min(_text.Length, _at + (Peek(1) == 'u' ? 6 : 2));
        return Fail(ConditionErrorCodes.UnexpectedCharacter, "This escape is not known. Use \\\\, \\', \\\", \\n, \\r, \\t or \\uXXXX "
            + "(not \\u0000 and no half of a surrogate pair).", _at, end, "write \\\\ for a backslash");
    }

    /// <summary>The UTF-16 unit of a <c>\uXXXX</c> at that offset.</summary>
    private char? Unit(int at) =>
        at + 6 <= _text.Length && _text[at] == '\\' && _text[at + 1] == 'u'
            && ushort.TryParse(_text.AsSpan(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;

    private Token BadCharacter(int at, string? why)
    {
        var c = _text[at];
        var pair = at + 1 < _text.Length && char.IsSurrogatePair(c, _text[at + 1]);
        var shown = pair ? _text.Substring(at, 2)
            : char.IsSurrogate(c) || char.IsControl(c) || char.IsWhiteSpace(c) ? $"U+{(int)c:X4}"
            : c.ToString();
        var hint = why ?? c switch
        {
            '&' => "write && or and",
            '|' => "write || or or",
            '\u201C' or '\u201D' or '\u201E' or '\u2018' or '\u2019' or '\u201A' or '`' => "use straight quotes: 'text'",
            '+' or '-' or '*' or '/' or '%' => "conditions have no arithmetic; a name with such a sign is written [\"like-this\"]",
            ';' => "join conditions with && or ||",
            '\u2260' => "write !=",
            '\u2264' => "write <=",
            '\u2265' => "write >=",
            '{' or '}' => "lists are written ['a', 'b']",
            _ when char.IsLetter(c) => "names with other letters than a-z are written [\"like-this\"]; text needs quotes",
            _ when char.IsWhiteSpace(c) => "use an ordinary space",
            _ => null,
        };
        return Fail(ConditionErrorCodes.UnexpectedCharacter, $"The character {shown} has no meaning here.", at, at + (pair ? 2 : 1), hint);
    }

    private Token Fail(string code, string detail, int start, int end, string? hint, params string[] expected)
    {
        Error = source.Error(code, detail, start, end, hint, expected);
        return new Token(TokenKind.Error, start, end);
    }

    private static string Shorten(string text) => text.Length <= 24 ? text : string.Concat(text.AsSpan(0, 23), "…");
}

using SignalHub.Webhooks;

namespace SignalHub.Tests.Webhooks;

public sealed class HeaderTextTests
{
    [Fact]
    public void Headers_are_read_as_they_were_written()
    {
        var text = HeaderText.Write([new("Date", "Mon, 01 Jan 2026 10:00:00 GMT"), new("X-Empty", ""), new("Via", "a: b"), new("via", "c")]);

        Assert.Equal("Date: Mon, 01 Jan 2026 10:00:00 GMT\nX-Empty: \nVia: a: b\nvia: c", text);
        Assert.Equal(
            new Dictionary<string, string> { ["Date"] = "Mon, 01 Jan 2026 10:00:00 GMT", ["X-Empty"] = "", ["Via"] = "a: b, c" },
            HeaderText.Read(text));
        Assert.Empty(HeaderText.Read(HeaderText.Write([])));
    }
}

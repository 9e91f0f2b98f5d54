using SignalHub.Signals.Intake;

namespace SignalHub.Tests.Signals;

public sealed class TrustingMemoryTests
{
    private readonly LineMemory _memory = new(people: 10);

    [Fact]
    public void A_memory_that_is_right_is_always_relied_on() => Assert.Equal([true, true, true], Tries(3, isRight: true));

    [Fact]
    public void One_that_was_wrong_is_relied_on_ever_less()
    {
        var tries = Tries(200, isRight: false);

        // 1, 2, 4, 8, 16, 32 and then 64 batches read first between two that rely.
        Assert.Equal([0, 2, 5, 10, 19, 36, 69, 134, 199], tries.Select((relies, i) => (relies, i)).Where(t => t.relies).Select(t => t.i));
    }

    [Fact]
    public void One_that_is_right_again_is_relied_on_at_once()
    {
        Tries(135, isRight: false);
        var again = Tries(65, isRight: true);

        Assert.True(again[^1]);
        Assert.Equal([true, true], Tries(2, isRight: true));
        Assert.Equal([true, false, true], Tries(3, isRight: false));
    }

    private List<bool> Tries(int count, bool isRight)
    {
        var tries = new List<bool>();
        for (var i = 0; i < count; i++)
        {
            tries.Add(_memory.IsTrusted);
            if (tries[^1])
            {
                _memory.Proved(isRight);
            }
            else
            {
                _memory.Rest();
            }
        }
        return tries;
    }
}

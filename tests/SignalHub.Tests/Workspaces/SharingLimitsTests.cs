using FsCheck;
using FsCheck.Fluent;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

/// <summary>Several nodes, one limit: the arithmetic, with time and database as variables.</summary>
public sealed class SharingLimitsTests
{
    private const int Limit = 60;
    private const int PerDay = 130;

    /// <summary>What happens next, to which node, with how much.</summary>
    private static readonly Arbitrary<(Move Move, int Node, int Amount)[]> _stories =
        (from move in Gen.Frequency(
             (8, Gen.Constant(Move.Ask)), (8, Gen.Constant(Move.Step)), (3, Gen.Constant(Move.Tick)), (2, Gen.Constant(Move.Wait)), (1, Gen.Constant(Move.WaitLong)),
             (4, Gen.Constant(Move.Store)), (2, Gen.Constant(Move.GiveBack)), (1, Gen.Constant(Move.LoseAnswer)), (1, Gen.Constant(Move.Kill)), (1, Gen.Constant(Move.Crash)))
         from node in Gen.Choose(0, 2)
         from amount in Gen.Frequency((6, Gen.Choose(1, 4)), (1, Gen.Choose(5, 80)))
         select (move, node, amount)).ArrayOf(400).ToArbitrary();

    private enum Move { Ask, Step, Tick, Wait, WaitLong, Store, GiveBack, LoseAnswer, Kill, Crash }

    [Fact]
    public void Whatever_happens_the_nodes_together_keep_the_minute_and_the_day() =>
        Prop.ForAll(_stories, story =>
        {
            var nodes = Play(story);
            return (nodes.MostInAMinute() <= Limit).Label("minute").And((nodes.MostInADay() <= PerDay).Label("day"));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_burst_to_two_nodes_at_once_gets_the_limit_and_no_more()
    {
        var nodes = new SimulatedNodes(2, new WorkspaceLimits(500, 0));

        var asked = Enumerable.Range(0, 1_000).Select(i =>
        {
            var admission = nodes.Ask(i % 2, 1);
            if (i % 7 == 0)
            {
                nodes.DoStep(i % 2);
            }
            return admission;
        }).ToList();
        nodes.Advance(TimeSpan.FromSeconds(1));

        Assert.InRange(asked.Sum(a => SimulatedNodes.Settled(a).Allowed), 490, 500);
    }

    [Theory]
    [InlineData(1, 98)]
    [InlineData(2, 96)]
    [InlineData(4, 94)]
    public void Busy_nodes_together_get_nearly_all_of_it(int count, int percent)
    {
        const int Minutes = 3;
        var nodes = new SimulatedNodes(count, new WorkspaceLimits(500, 0));

        // Ten times what is allowed.
        for (var tenth = 0; tenth < Minutes * 600; tenth++)
        {
            for (var i = 0; i < 8; i++)
            {
                var node = (tenth + i) % count;
                var admission = nodes.Reserve(node, 1);
                nodes.Keep(node, admission, admission.Allowed);
            }
            nodes.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(nodes.Kept.Count, Minutes * 5 * percent, Minutes * 500);
    }

    [Fact]
    public void A_busy_node_beside_idle_ones_gets_nearly_all_of_it()
    {
        var nodes = new SimulatedNodes(4, new WorkspaceLimits(500, 0));
        for (var node = 0; node < 4; node++)
        {
            nodes.Reserve(node, 3);
        }
        nodes.Advance(TimeSpan.FromSeconds(3));

        Assert.InRange(nodes.Reserve(0, 500).Allowed, 475, 488);
    }

    [Fact]
    public void What_a_dead_node_held_counts_as_used_until_it_has_left_the_window()
    {
        var nodes = new SimulatedNodes(2, new WorkspaceLimits(60, 0));
        nodes.Reserve(0, 20);
        nodes.Kill(0);

        Assert.InRange(nodes.Reserve(1, 60).Allowed, 1, 40);
        nodes.Advance(WorkspaceShare.Lifetime + TimeSpan.FromSeconds(61));
        Assert.Equal(60, nodes.Reserve(1, 60).Allowed);
    }

    [Fact]
    public void What_one_node_gives_back_another_can_use_a_second_later()
    {
        var nodes = new SimulatedNodes(2, new WorkspaceLimits(60, 60));
        var admission = nodes.Reserve(0, 60);
        Assert.Equal(0, nodes.Reserve(1, 1).Allowed);

        nodes.Keep(0, admission, kept: 50);
        nodes.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(10, nodes.Reserve(1, 60).Allowed);
    }

    private static SimulatedNodes Play((Move Move, int Node, int Amount)[] story)
    {
        var nodes = new SimulatedNodes(3, new WorkspaceLimits(Limit, PerDay));
        var asked = new List<(int Node, Task<Admission> Admission)>();
        foreach (var (move, node, amount) in story)
        {
            switch (move)
            {
                case Move.Ask:
                    asked.Add((node, nodes.Ask(node, amount, isTest: amount == 3)));
                    break;
                case Move.Step:
                    nodes.DoStep(node);
                    break;
                case Move.Tick:
                    nodes.Advance(TimeSpan.FromMilliseconds(amount));
                    break;
                case Move.Wait:
                    nodes.Advance(TimeSpan.FromMilliseconds(amount * 300));
                    break;
                case Move.WaitLong:
                    // What is admitted is stored long before, or never.
                    Decide(nodes, asked, (_, admission) => admission.Allowed);
                    nodes.Advance(TimeSpan.FromSeconds(amount));
                    break;
                case Move.Store:
                    Decide(nodes, asked, (_, admission) => admission.Allowed);
                    break;
                case Move.GiveBack:
                    Decide(nodes, asked, (of, admission) => of == node ? Math.Max(0, admission.Allowed - amount) : admission.Allowed);
                    break;
                case Move.LoseAnswer:
                    nodes.LoseAnswer(node);
                    break;
                case Move.Kill:
                    // Its requests die with it.
                    asked.RemoveAll(a => a.Node == node);
                    nodes.Kill(node);
                    break;
                case Move.Crash:
                    Decide(nodes, asked, (_, admission) => admission.Allowed);
                    nodes.CrashDatabase();
                    break;
            }
        }
        Decide(nodes, asked, (_, admission) => admission.Allowed);
        return nodes;
    }

    /// <summary>Stores of each answered reservation so many, gives the rest back.</summary>
    private static void Decide(SimulatedNodes nodes, List<(int Node, Task<Admission> Admission)> asked, Func<int, Admission, int> kept)
    {
        foreach (var (node, admission) in asked.Where(a => a.Admission.IsCompletedSuccessfully))
        {
            nodes.Keep(node, admission.Result, kept(node, admission.Result));
        }
        asked.RemoveAll(a => a.Admission.IsCompleted);
    }
}

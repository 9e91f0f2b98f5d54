using SignalHub.Conditions;

namespace SignalHub.Qualification;

/// <summary>
/// Scores a signal against a workspace's definitions. Pure integer arithmetic: the same signal, facts and definitions give
/// the same numbers, in whatever order the definitions were stored.
/// </summary>
public static class Scorer
{
    public const int MaxScore = 100;

    /// <summary>
    /// The verdict on what <paramref name="input"/> holds. Leaves <see cref="ConditionInput.Icp"/> and
    /// <see cref="ConditionInput.Persona"/> set to what was found, which is what routing conditions look at.
    /// </summary>
    /// <param name="personKnown">False: there is no contact, so personas are not scored and do not decide.</param>
    public static Verdict Score(DefinitionSet set, ConditionInput input, bool personKnown)
    {
        input.Icp = null;
        input.Persona = null;
        Ranking icps, personas;
        var pass = set.Questions.Begin(input);
        try
        {
            icps = Rank(set.IcpArray, ref pass);
            // Seen by personas only: no ICP has asked for it before.
            input.Icp = icps.Fields;
            personas = personKnown && icps.Chosen is { } icp ? Rank(icp.Definition.PersonaArray, ref pass) : Ranking.Empty;
        }
        finally
        {
            pass.Dispose();
        }
        input.Persona = personas.Fields;
        var qualified = icps.Chosen is { IsReached: true } best
            && (!personKnown || best.Definition.PersonaArray.Length == 0 || personas.Chosen is { IsReached: true });
        return new Verdict(icps, personas, qualified);
    }

    /// <summary>Rounded half up: S points over the weights W, where S ≤ 100·W.</summary>
    internal static int Share(int points, int weights) => (int)(((2L * points) + weights) / (2L * weights));

    /// <summary>Weight × points/100 over the penalties, rounded half up once, over all of them.</summary>
    internal static int Penalty(int weightedPoints) => (weightedPoints + 50) / 100;

    private static Ranking Rank(CompiledDefinition[] definitions, ref ConditionSet.Pass pass)
    {
        if (definitions.Length == 0)
        {
            return Ranking.Empty;
        }
        Span<sbyte> points = stackalloc sbyte[DefinitionBody.MaxCriteria];
        Span<sbyte> pointsOfBest = stackalloc sbyte[DefinitionBody.MaxCriteria];
        var results = new DefinitionScore[definitions.Length];
        var best = -1;
        for (var i = 0; i < definitions.Length; i++)
        {
            results[i] = Evaluate(definitions[i], ref pass, points);
            if (results[i].Outcome == DefinitionOutcome.Match && (best < 0 || results[i].IsBetterThan(results[best])))
            {
                best = i;
                var recorded = pointsOfBest;
                pointsOfBest = points;
                points = recorded;
            }
        }
        return best < 0
            ? new Ranking(results, null, [], ResultFields.None)
            : new Ranking(results, results[best], Explain(definitions[best], ref pass, pointsOfBest), new ResultFields(results[best]));
    }

    private static DefinitionScore Evaluate(CompiledDefinition definition, ref ConditionSet.Pass pass, scoped Span<sbyte> points)
    {
        var criteria = definition.Criteria;
        if (definition.IsBroken || criteria.Length > points.Length)
        {
            return new DefinitionScore(definition, DefinitionOutcome.Broken);
        }
        var open = -1;
        for (var i = 0; i < criteria.Length; i++)
        {
            var criterion = criteria[i];
            if (criterion.Mode.HasWeight())
            {
                continue;
            }
            var value = criterion.Points(ref pass);
            points[i] = (sbyte)value;
            var isFilter = criterion.Mode == CriterionMode.Filter;
            if (isFilter ? value == 0 : value > 0)
            {
                // One gate that is surely closed decides, whatever is unknown elsewhere.
                return new DefinitionScore(definition, DefinitionOutcome.NoMatch) { Gate = i };
            }
            if (isFilter && value == CompiledCriterion.Unknown && open < 0)
            {
                open = i;
            }
        }
        return open >= 0
            ? new DefinitionScore(definition, DefinitionOutcome.InsufficientData) { Gate = open }
            : AddUp(definition, ref pass, points);
    }

    private static DefinitionScore AddUp(CompiledDefinition definition, ref ConditionSet.Pass pass, scoped Span<sbyte> points)
    {
        // 100 criteria × weight 1,000 × 100 points stay far below the range of an int.
        int sum = 0, weights = 0, knownWeights = 0, penalties = 0;
        var criteria = definition.Criteria;
        for (var i = 0; i < criteria.Length; i++)
        {
            var criterion = criteria[i];
            if (!criterion.Mode.HasWeight())
            {
                continue;
            }
            var value = criterion.Points(ref pass);
            points[i] = (sbyte)value;
            var isKnown = value != CompiledCriterion.Unknown;
            var weighted = isKnown ? criterion.Weight * value : 0;
            if (criterion.Mode == CriterionMode.Penalty)
            {
                penalties += weighted;
                continue;
            }
            sum += weighted;
            weights += criterion.Weight;
            knownWeights += isKnown ? criterion.Weight : 0;
        }
        var @base = weights == 0 ? MaxScore : Share(sum, weights);
        var penalty = Penalty(penalties);
        return new DefinitionScore(definition, DefinitionOutcome.Match)
        {
            Base = @base,
            Penalty = penalty,
            Score = Math.Clamp(@base - penalty, 0, MaxScore),
            Coverage = weights == 0 ? 100 : Share(100 * knownWeights, weights),
        };
    }

    /// <summary>
    /// One entry per criterion of the chosen definition. Contributions are differences of rounded running sums, so that they
    /// are whole numbers and still add up to exactly the base, and to exactly the penalty.
    /// </summary>
    private static CriterionScore[] Explain(CompiledDefinition definition, ref ConditionSet.Pass pass, scoped ReadOnlySpan<sbyte> points)
    {
        var criteria = definition.Criteria;
        var weights = 0;
        foreach (var criterion in criteria)
        {
            weights += criterion.Mode == CriterionMode.Score ? criterion.Weight : 0;
        }
        var entries = new CriterionScore[criteria.Length];
        int sum = 0, penalties = 0;
        for (var i = 0; i < criteria.Length; i++)
        {
            var criterion = criteria[i];
            var weighted = criterion.Weight * Math.Max((int)points[i], 0);
            var contribution = 0;
            if (criterion.Mode == CriterionMode.Score)
            {
                contribution = Share(sum + weighted, weights) - Share(sum, weights);
                sum += weighted;
            }
            else if (criterion.Mode == CriterionMode.Penalty)
            {
                contribution = Penalty(penalties) - Penalty(penalties + weighted);
                penalties += weighted;
            }
            entries[i] = new CriterionScore(criterion, points[i], contribution, criterion.Seen(ref pass));
        }
        return entries;
    }
}

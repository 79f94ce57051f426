package words

// botPhrases are said by the server alone.
var botPhrases map[string]phrase
